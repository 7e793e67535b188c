/** A failure that a person can do something about. */
export class Failure extends Error {
	/**
	 * @param {string} reason
	 * @param {string} remedy
	 */
	constructor(reason, remedy) {
		super(reason);
		this.remedy = remedy;
	}
}
