/**
 * Broken invariants of the running shop: counted for `/metrics`, and told in the log.
 *
 * 1. Of this process, from its start: a counter of Prometheus. 2. Each invariant is there from the
 * start with 0, so that its first violation is an increase. 3. The log names the first ones of each
 * invariant in full, then every thousandth: a fault in a rule must not fill the disk.
 */

import { localInvariants, type Violation } from '../../topologies/shop/shared/violation.ts'
import type { ExtraFigure } from '../http/prometheus.ts'
import type { Logger } from '../logger.ts'

const toldFirst = 20
const toldEvery = 1_000

export class InvariantAlarms {
  readonly #counts = new Map<string, number>(localInvariants.map((name) => [name, 0]))
  readonly #logger: Logger

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /** Give it to the shop's configuration. */
  readonly tell = ({ rule, subject, detail }: Violation): void => {
    const count = (this.#counts.get(rule) ?? 0) + 1
    this.#counts.set(rule, count)
    if (count > toldFirst && count % toldEvery !== 0) return
    this.#logger.error({ invariant: rule, subject, detail, count }, 'an invariant is broken')
  }

  get figure(): ExtraFigure {
    return {
      name: 'invariant_violations_total',
      help: 'Decisions that broke an invariant of the shop, since the start.',
      kind: 'counter',
      labels: ['invariant'],
      values: () =>
        [...this.#counts].map(([invariant, value]) => ({ labels: { invariant }, value })),
    }
  }
}
