/**
 * A CPU profile of one run as a cost table (JSON on stdout) and a flame graph (SVG in a file).
 *
 * `npm run bench -- profile FILE.cpuprofile RECORDS NAME [FLAME.svg]`; the profile is of a main
 * thread, made by `ENGINE_NODE_FLAGS='--cpu-prof' bench/engine` that is ended by SIGTERM.
 */

import { writeFileSync } from 'node:fs'
import { costTable } from './profile/cost-table.ts'
import { readCpuProfile } from './profile/cpu-profile.ts'
import { flameGraph } from './profile/flame-graph.ts'
import { report } from './report.ts'

const [path, records, name, svg] = process.argv.slice(2)
const count = Number(records)
if (path === undefined || name === undefined || !(count > 0)) {
  process.stderr.write('usage: npm run bench -- profile FILE.cpuprofile RECORDS NAME [FLAME.svg]\n')
  process.exit(2)
}
const root = readCpuProfile(path)
if (svg !== undefined) writeFileSync(svg, flameGraph(root, name))
const costs = costTable(root, count)
report({
  name: `profile/${name}`,
  note: 'µs of the main thread per record, by where the code is; idle time left out',
  figures: Object.fromEntries([
    ...costs.map(({ room, usPerRecord }) => [room, Number(usPerRecord.toFixed(4))] as const),
    ['total', Number(costs.reduce((sum, { usPerRecord }) => sum + usPerRecord, 0).toFixed(4))],
  ]),
})
