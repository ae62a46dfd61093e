/**
 * `node scripts/walk-shop.mjs`: every row of the shop's API over HTTP, on Kafka with two replicas.
 *
 * Plain Node 20, no dependencies; what it does is in `walk-shop/main.ts`, on the project's Node.
 */

import { join } from 'node:path'
import { bootstrap, projectRoot, runOnProjectNode } from './bootstrap.mjs'

const main = join(projectRoot, 'scripts', 'walk-shop', 'main.ts')

bootstrap()
process.exitCode = await runOnProjectNode(
  ['--disable-warning=ExperimentalWarning', main, ...process.argv.slice(2)],
  { isLinked: true },
)
