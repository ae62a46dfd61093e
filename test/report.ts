/**
 * The end of every test run: how many tests ran, which suites were skipped and why, and which tests
 * passed only when they were tried again (`--retry`): those want to be looked at.
 *
 * A vitest reporter, named by `scripts/run.mjs`. The last line is for people and programs alike.
 * A skipped suite says why by `context.skip(reason)`, or in its name.
 */

import type { Reporter, TestCase, TestModule, TestSuite } from 'vitest/node'

interface Counts {
  passed: number
  failed: number
  skipped: number
}

export default class Report implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const counts: Counts = { passed: 0, failed: 0, skipped: 0 }
    const skipped = new Map<string, number>()
    const flaky: string[] = []
    let brokenFiles = 0
    for (const module of modules) {
      // a file that failed before its first test would otherwise not be counted at all
      if (module.state() === 'failed' && module.errors().length > 0) brokenFiles += 1
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        counts[state === 'pending' ? 'skipped' : state] += 1
        if (test.diagnostic()?.flaky === true) {
          flaky.push(`Passed only when tried again: ${module.relativeModuleId}: ${test.fullName}`)
        }
        if (state !== 'skipped') continue
        const line = `${module.relativeModuleId}: ${reasonOf(test)}`
        skipped.set(line, (skipped.get(line) ?? 0) + 1)
      }
    }
    if (flaky.length > 0) process.stdout.write(`${flaky.join('\n')}\n`)
    this.#print(counts, skipped, brokenFiles + errors.length)
  }

  #print(counts: Counts, skipped: ReadonlyMap<string, number>, otherErrors: number): void {
    const lines = [...skipped].map(([line, count]) => `Skipped: ${line} (${count} tests)`)
    if (otherErrors > 0) lines.push(`Errors outside of tests: ${otherErrors}`)
    const { passed, failed } = counts
    lines.push(`Tests: ${passed} passed, ${failed} failed, ${counts.skipped} skipped`)
    process.stdout.write(`${lines.join('\n')}\n`)
  }
}

const reasonOf = (test: TestCase): string => {
  const result = test.result()
  const note = result.state === 'skipped' ? result.note : undefined
  return note ?? outermostSuite(test)?.name ?? test.name
}

const outermostSuite = (test: TestCase): TestSuite | undefined => {
  let outermost: TestSuite | undefined
  for (let at = test.parent; at.type === 'suite'; at = at.parent) outermost = at
  return outermost
}
