/**
 * Goal: the alert rules name only metrics and labels that exist, and each has a page of its own to
 * act by. Method: the file is read line by line; `docs/metrics.md`, which the HTTP tests hold to
 * what an instance tells, is the list of what exists.
 */

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..', '..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

interface Alert {
  readonly name: string
  readonly expr: string
  readonly severity: string
  readonly summary: string
  readonly runbook: string
}

const fieldOf = (block: string, field: string): string =>
  new RegExp(`^ +${field}: (.*)$`, 'm').exec(block)?.[1] ?? ''

const rulesFile = read('docs/operations/alerts.yml')
const alerts = rulesFile
  .split(/^ {6}- alert: /m)
  .slice(1)
  .map((block): Alert => {
    const [summary, runbook] = [fieldOf(block, 'summary'), fieldOf(block, 'runbook')]
    const [expr, severity] = [fieldOf(block, 'expr'), fieldOf(block, 'severity')]
    return { name: block.slice(0, block.indexOf('\n')), expr, severity, summary, runbook }
  })

/** Labels by the name of a metric. */
const metrics = new Map(
  [...read('docs/metrics.md').matchAll(/^\| `(millrace_\w+)` \| ([^|]*)\|/gm)].map(
    ([, name, labels]) => [name!, [...labels!.matchAll(/`(\w+)`/g)].map(([, label]) => label!)],
  ),
)

const namedIn = (expr: string): readonly string[] =>
  [...expr.matchAll(/millrace_\w+/g)].map(([name]) => name)

const unknownMetrics = (expr: string): readonly string[] =>
  namedIn(expr).filter((name) => !metrics.has(name))

/** In selectors and in `by (…)`; `instance` is Prometheus' own. */
const unknownLabels = (expr: string): readonly string[] => {
  const known = new Set(['instance', ...namedIn(expr).flatMap((name) => metrics.get(name) ?? [])])
  const selected = [...expr.matchAll(/(\w+)\s*[=!]~?"/g)].map(([, label]) => label!)
  const grouped = [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, all]) => all!.split(/,\s*/))
  return [...selected, ...grouped].filter((label) => !known.has(label))
}

describe('the alert rules', () => {
  it('are read whole, each under a name of its own', () => {
    expect(alerts.length).toBe((rulesFile.match(/alert:/g) ?? []).length)
    expect(alerts.length).toBeGreaterThan(10)
    expect(new Set(alerts.map(({ name }) => name)).size).toBe(alerts.length)
    for (const { name, expr, severity, summary } of alerts) {
      expect([name, expr === '', summary === '']).toEqual([name, false, false])
      expect(['warning', 'critical']).toContain(severity)
    }
  })

  it('would be found out: a metric or a label that is not there', () => {
    expect(unknownMetrics('rate(millrace_running[1m]) > millrace_runing')).toEqual([
      'millrace_runing',
    ])
    expect(unknownLabels('max by (topic, clas) (millrace_dead_letters_open{tpic="x"})')).toEqual([
      'tpic',
      'clas',
    ])
  })

  it.each(alerts)('$name names what exists', ({ expr }) => {
    expect(namedIn(expr)).not.toEqual([])
    expect([unknownMetrics(expr), unknownLabels(expr)]).toEqual([[], []])
  })

  it.each(alerts)('$name tells labels that its expression has', ({ expr, summary }) => {
    const used = [...summary.matchAll(/\$labels\.(\w+)/g)].map(([, label]) => `${label}="`)
    expect(unknownLabels(`${expr} ${used.map((label) => `{${label}x"}`).join(' ')}`)).toEqual([])
  })

  it.each(alerts)('$name has a page that names it', ({ name, runbook }) => {
    expect(runbook).toMatch(/^docs\/operations\/[\w-]+\.md$/)
    expect(existsSync(join(root, runbook))).toBe(true)
    expect(read(runbook)).toContain(`\`${name}\``)
    expect(read('docs/operations/README.md')).toContain(runbook.replace('docs/operations/', '('))
  })
})

describe('the pages', () => {
  it('name only metrics that exist', () => {
    const pages = new Set(alerts.map(({ runbook }) => runbook))
    const unknown = [...pages].flatMap((page) => unknownMetrics(read(page)))
    expect(unknown).toEqual([])
  })
})
