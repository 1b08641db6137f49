/** What the process tells whoever started it. */
export const EXIT_CODE = {
  ok: 0,
  failed: 1,
  badInput: 2,
  /** A signal in the middle of a request, or a second one while draining. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT_CODE)[keyof typeof EXIT_CODE];

export const EXIT_CODE_HELP = `
Exit codes:
  0    done
  1    failed: the server or the broker could not do it
  2    bad usage or bad input: nothing was done
  130  interrupted: a request by a signal, anything else by a second one`;
