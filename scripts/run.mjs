/**
 * What `npm start`, `npm test` and the other npm scripts do, on the project's own Node 24.
 *
 * Plain Node 20 without dependencies: it must run before anything is installed.
 * 1. Arguments after `--` reach the program. 2. The exit status is that of the first step that
 * failed. 3. Steps of one command run in the order written here. 4. `exec` in package.json: npm
 * passes signals on to its shell, which would die of them and leave us behind.
 */

import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { bootstrap, projectRoot, runOnProjectNode } from './bootstrap.mjs'

const cli = join(projectRoot, 'src', 'cli', 'main.ts')
/** Most suites wait for a cluster or a process: two at a time, even where there are two cores. */
const workers = Math.max(2, availableParallelism() - 1)
const vitest = [
  'node_modules/vitest/vitest.mjs',
  'run',
  `--maxWorkers=${workers}`,
  '--reporter=default',
  '--reporter=./test/report.ts',
]
const oxfmt = 'node_modules/oxfmt/bin/oxfmt'
/** As bin/millrace: a small heap, for no more CPU. */
const lean = ['--max-semi-space-size=8', '--heap-growing-percent=125', '--no-parallel-scavenge']

const commands = {
  start: (args) => [[...lean, '--disable-warning=ExperimentalWarning', cli, 'dev', ...args]],
  install: () => [],
  test: (args) => [[...vitest, ...args]],
  check: () => [
    [oxfmt, '--check'],
    ['node_modules/oxlint/bin/oxlint', '--deny-warnings'],
    ['node_modules/typescript/bin/tsc', '--noEmit', '-p', '.'],
    vitest,
  ],
  bench: (args) => [[...lean, 'bench/main.ts', ...args]],
  format: (args) => [[oxfmt, ...args]],
  diagrams: (args) => [['scripts/diagrams.ts', ...args]],
  vectors: (args) => [['test/vectors/run.ts', ...args]],
}

const main = async () => {
  const [name = '', ...args] = process.argv.slice(2)
  const steps = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (steps === undefined) {
    const known = Object.keys(commands).join(', ')
    process.stderr.write(`run.mjs: unknown command '${name}'; known: ${known}\n`)
    return 2
  }
  bootstrap()
  // `start` keeps the caller's directory for --state-dir; tools work on the project.
  if (name !== 'start') process.chdir(projectRoot)
  for (const step of steps(args)) {
    const status = await runOnProjectNode(step, { isLinked: name === 'start' })
    if (status !== 0) return status
  }
  return 0
}

process.exitCode = await main()
