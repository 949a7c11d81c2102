/**
 * What a node's process on this machine is allowed: its own directory, loopback,
 * and to see the machine's addresses. Libraries that look into the environment
 * see nothing.
 *
 * @param directory Where its files are.
 */
export function localPermissions(directory: string): string[] {
  return [
    `--allow-read=${directory}`,
    `--allow-write=${directory}`,
    "--allow-net=127.0.0.1",
    "--allow-sys=networkInterfaces,osRelease,hostname",
    "--ignore-env",
  ];
}
