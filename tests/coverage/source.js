/**
 * The lines and branches of a script, and which of them ran, told from how often each of its characters did. V8 tells only
 * where counts differ, so what there is to reach comes from the source.
 */
import ts from 'typescript';

const parse = (/** @type {string} */ text) => ts.createSourceFile('source.js', text, ts.ScriptTarget.Latest, true);

/**
 * @param {string} text
 * @param {Float64Array} counts
 * @returns {boolean[]} for each line that has code: something of it ran
 */
export function lines(text, counts) {
	const source = parse(text);
	/** @type {Map<number, boolean>} */
	const found = new Map();
	const visit = (/** @type {ts.Node} */ node) => {
		const children = node.getChildren(source).filter((child) => !ts.isJSDoc(child));
		children.forEach(visit);
		if (children.length > 0) {
			return;
		}
		for (let at = node.getStart(source); at < node.end; at++) {
			if (text[at].trim() !== '') {
				const {line} = source.getLineAndCharacterOfPosition(at);
				found.set(line, (found.get(line) ?? false) || counts[at] > 0);
			}
		}
	};
	visit(source);
	return [...found.values()];
}

const shortCircuits = [
	ts.SyntaxKind.AmpersandAmpersandToken,
	ts.SyntaxKind.BarBarToken,
	ts.SyntaxKind.QuestionQuestionToken,
];

/**
 * Both ways of `if`, `?:`, `&&`, `||` and `??`; the clauses of `switch`; `catch`; the body of a loop.
 * @param {string} text
 * @param {Float64Array} counts
 * @returns {boolean[]} for each branch: it was taken
 */
export function branches(text, counts) {
	const source = parse(text);
	/** @type {boolean[]} */
	const taken = [];
	const count = (/** @type {ts.Node} */ node) => counts[node.getStart(source)];
	/** @param {...number} arms */
	const add = (...arms) => taken.push(...arms.map((arm) => arm > 0));
	const visit = (/** @type {ts.Node} */ node) => {
		if (ts.isIfStatement(node)) {
			const then = count(node.thenStatement);
			add(then, node.elseStatement ? count(node.elseStatement) : count(node.expression) - then);
		} else if (ts.isConditionalExpression(node)) {
			add(count(node.whenTrue), count(node.whenFalse));
		} else if (ts.isBinaryExpression(node) && shortCircuits.includes(node.operatorToken.kind)) {
			// In `a && b && c` what comes before c is b.
			const {left, operatorToken} = node;
			const chain = ts.isBinaryExpression(left) && left.operatorToken.kind === operatorToken.kind;
			const before = chain ? left.right : left;
			add(count(node.right), count(before) - count(node.right));
		} else if (ts.isCaseOrDefaultClause(node)) {
			node.statements.slice(0, 1).forEach((first) => add(count(first)));
		} else if (ts.isCatchClause(node)) {
			add(count(node.block));
		} else if (ts.isIterationStatement(node, false)) {
			add(count(node.statement));
		}
		ts.forEachChild(node, visit);
	};
	visit(source);
	return taken;
}
