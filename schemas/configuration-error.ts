/** What is wrong with the environment, in one sentence a line. */
export class ConfigurationError extends Error {}
