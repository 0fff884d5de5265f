import { buildWorkers, removeWorkers } from './build.mjs';

/**
 * Before the first test: what runs in threads is what the sources say now. Sources that cannot be bundled fail the tests that need
 * their thread, not all.
 */
export default async function setUp() {
  try {
    await buildWorkers();
  } catch (error) {
    removeWorkers();
    console.error(error instanceof Error ? error.message : String(error));
  }
}
