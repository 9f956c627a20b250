/**
 * The outputs of a job may have 1 MB in UTF-16 together; a larger one fails the job after the step has ended well. What can grow is
 * limited to this many characters, in sum (RULES 5.9).
 */
export const largeOutputLimit = 450_000;
