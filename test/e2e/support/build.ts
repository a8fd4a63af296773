/** Builds the page once for all end-to-end tests: their wrangler configuration has no build of its own. */
export async function setup(): Promise<void> {
  await import("../../../scripts/build-page.ts");
}
