/**
 * What a node's process on this machine is allowed: its own directory, loopback,
 * and to see the machine's addresses. Libraries that look into the environment
 * see nothing.
 *
 * @param directory Where its files are.
 * @param hosts Whom it may call and where it may listen; loopback by default.
 */
export function localPermissions(
  directory: string,
  hosts: readonly string[] = ["127.0.0.1"],
): string[] {
  return [
    `--allow-read=${directory}`,
    `--allow-write=${directory}`,
    `--allow-net=${hosts.join()}`,
    "--allow-sys=networkInterfaces,osRelease,hostname",
    "--ignore-env",
  ];
}
