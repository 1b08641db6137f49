/** False once nobody reads any more. */
export function printLine(line: string): Promise<boolean> {
  return new Promise((resolve) => {
    process.stdout.write(`${line}\n`, (error) => resolve(error === null || error === undefined));
  });
}
