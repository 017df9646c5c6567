/** What a command's exit code says. The same numbers for every command. */
export const exitCodes = {
  /** It was done, or is so. */
  done: 0,
  /** It was tried and failed. */
  failed: 1,
  /** The command line, a file or the environment does not fit; nothing was tried. */
  usage: 2,
  /** Something that is needed is not there: a file, a corpus, a side index. */
  absent: 3,
  /** Nothing runs there, or it can not be reached; or, of `up`, something runs there already. */
  unreachable: 4,
  /** What was compared differs. */
  differs: 5,
  /** Ctrl-C; what was begun can be continued. 128 and the number of the signal, as shells have it. */
  interrupted: 130,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** One line a code, for `--help`. */
export const exitCodeMeanings: Readonly<Record<ExitCode, string>> = {
  0: 'done',
  1: 'tried and failed',
  2: 'the command line, a file or the environment does not fit',
  3: 'something that is needed is not there',
  4: 'nothing answers there, or (up) something runs there already',
  5: 'what was compared differs',
  130: 'interrupted (Ctrl-C)',
};
