/**
 * What a node's process is allowed: its files, its connections, and to see the
 * machine's addresses. Libraries that look into the environment see nothing.
 */
export const NODE_PERMISSIONS: readonly string[] = [
  "--allow-read",
  "--allow-write",
  "--allow-net",
  "--allow-sys",
  "--ignore-env",
];
