import js from '@eslint/js';
import globals from 'globals';

const webext = { chrome: 'readonly' };
const rules = {
	curly: 'error',
	eqeqeq: ['error', 'always', { null: 'ignore' }],
	'max-lines': ['error', 500],
	'no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
	'no-var': 'error',
	'object-shorthand': 'error',
	'prefer-const': 'error',
	strict: ['error', 'safe'],
};

export default [
	{ ignores: ['**/node_modules/**', 'build/**', 'docs/examples/library/**'] },
	js.configs.recommended,
	{ linterOptions: { reportUnusedDisableDirectives: 'error' }, rules },
	{ files: ['extension/**/*.js'], languageOptions: { globals: { ...globals.browser, ...webext } } },
	{ files: ['docs/examples/**/*.js'], languageOptions: { globals: globals.browser } },
	{
		files: ['extension/page/*.js'],
		languageOptions: { globals: { MediaStreamTrackGenerator: 'readonly', OverconstrainedError: 'readonly' } },
	},
	{ files: ['tests/**/*.js'], languageOptions: { globals: { ...globals.node } } },
	{
		// Parts of these run in a page or in the extension's background.
		files: ['tests/bench/**/*.js', 'tests/e2e/**/*.js', 'tests/page/**/*.js'],
		languageOptions: { globals: { ...globals.node, ...globals.browser, ...webext } },
	},
	{
		files: ['packaging/errors-js', 'packaging/icons-png', 'packaging/crx'],
		languageOptions: { sourceType: 'commonjs', globals: { ...globals.node } },
	},
];
