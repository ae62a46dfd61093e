/**
 * Instances of the summing application that answer for one another: a router each, and between them
 * a network that a test may cut.
 */

import { systemClock } from '../../src/clock.ts'
import { answerHere } from '../../src/queries/answer-here.ts'
import type { PartitionQuestion, PartitionReply } from '../../src/queries/partition-read.ts'
import { QueryRouter, UnreachableError } from '../../src/queries/query-router.ts'
import type { Peer } from '../../src/runtime/group-protocol.ts'
import type { Site } from '../runtime/fixture.ts'
import type { InstanceOptions, Launched } from '../runtime/instance.ts'

export interface Member extends Launched {
  readonly name: string
  readonly router: QueryRouter
}

export class QueryFleet {
  readonly members = new Map<string, Member>()
  /** Called before each question that is forwarded; may throw. */
  onForward: (owner: Peer, question: PartitionQuestion) => void = () => {}
  forwarded = 0
  readonly #site: Site

  constructor(site: Site) {
    this.#site = site
  }

  launch(name: string, options: Omit<InstanceOptions, 'instanceId'>): Member {
    const launched = this.#site.launch({ endpoint: name, ...options, instanceId: name })
    const router = new QueryRouter({
      view: () => launched.application.view(),
      broker: this.#site.broker,
      clock: this.#site.clock ?? systemClock,
      forward: (owner, question) => this.#forward(owner, question),
    })
    // by hand: spreading would freeze what `isDead` says
    const member: Member = {
      name,
      router,
      application: launched.application,
      disk: launched.disk,
      calls: launched.calls,
      connection: launched.connection,
      log: launched.log,
      started: launched.started,
      kill: () => launched.kill(),
      get isDead() {
        return launched.isDead
      },
    }
    this.members.set(name, member)
    return member
  }

  async start(name: string, options: Omit<InstanceOptions, 'instanceId'>): Promise<Member> {
    const member = this.launch(name, options)
    await this.#site.settled(member.started)
    return member
  }

  async #forward(owner: Peer, question: PartitionQuestion): Promise<PartitionReply> {
    this.forwarded += 1
    this.onForward(owner, question)
    const member = this.members.get(owner.endpoint)
    const isThere = member?.isDead === false && member.application.incarnation === owner.incarnation
    if (!isThere) throw new UnreachableError('it does not answer')
    return structuredClone(answerHere(member.application.view(), structuredClone(question)))
  }
}
