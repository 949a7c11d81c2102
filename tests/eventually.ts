/** Waits until the condition holds; fails, saying what is, after a while. */
export async function eventually(
  holds: () => boolean | Promise<boolean>,
  present: () => unknown,
  timeout = 15_000,
): Promise<void> {
  const end = Date.now() + timeout;
  while (!await holds()) {
    if (Date.now() > end) throw new Error(`It never came to be: ${present()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
