/**
 * What the topics of the catalogue are called at a broker: three naming profiles, or names of one's
 * own.
 *
 * Chosen once per process (`--topic-names`) and handed to whatever meets a broker. 1. The flows and
 * their handles know catalogue names only; state, changelogs and repartition topics are named by
 * application and store, whatever the profile. 2. Every topic of the catalogue has a name, and no
 * two are alike.
 */

import { days } from '../../../src/index.ts'
import { type CatalogueEntry, deadLetterTopic, topicCatalogue } from './topics.ts'

export const profileNames = ['ecom', 'domain', 'business'] as const

export type ProfileName = (typeof profileNames)[number]

/** Names of the catalogue, the dead letters' too. */
export const catalogueNames: readonly string[] = [
  ...topicCatalogue.map(({ topic }) => topic.name),
  deadLetterTopic.name,
]

export class TopicNames {
  /** What `--topic-names` calls them: a profile, or the path of a file. */
  readonly label: string
  /** Name at the broker by name in the catalogue. */
  readonly byCatalogue: ReadonlyMap<string, string>

  /** @param names  of every topic of the catalogue; see `topicNamesProblem` */
  constructor(label: string, names: Readonly<Record<string, string>>) {
    this.label = label
    this.byCatalogue = new Map(Object.entries(names))
  }

  static profile(name: ProfileName): TopicNames {
    return new TopicNames(name, profiles[name])
  }

  /** A topic that is not of the catalogue keeps its name. */
  of(catalogueName: string): string {
    return this.byCatalogue.get(catalogueName) ?? catalogueName
  }

  /** A handle under its name at the broker. */
  named<T extends { readonly name: string }>(handle: T): T {
    return { ...handle, name: this.of(handle.name) }
  }

  get deadLetters(): string {
    return this.of(deadLetterTopic.name)
  }

  retentionMs({ topic, retentionMs }: Pick<CatalogueEntry, 'topic' | 'retentionMs'>): number {
    return this.label === 'business' ? (keptInBusiness[topic.name] ?? retentionMs) : retentionMs
  }

  /** Whether both give every topic the same name. */
  equals(other: TopicNames): boolean {
    return catalogueNames.every((name) => this.of(name) === other.of(name))
  }
}

const ecom = Object.fromEntries(catalogueNames.map((name) => [name, name]))

const profiles: Readonly<Record<ProfileName, Readonly<Record<string, string>>>> = {
  ecom,
  domain: {
    'ecom.order-commands': 'order-commands',
    'ecom.inventory-commands': 'inventory-commands',
    'ecom.payment-commands': 'payment-commands',
    'ecom.shipment-commands': 'shipment-commands',
    'ecom.orders': 'order-events',
    'ecom.payments': 'payment-events',
    'ecom.inventory': 'inventory-events',
    'ecom.shipments': 'delivery-events',
    'ecom.platform': 'platform-events',
    'ecom.notifications': 'notification-events',
    'ecom.audit': 'audit-events',
    'ecom.dlq': 'dlq-events',
  },
  business: {
    'ecom.order-commands': 'business.orders.commands',
    'ecom.inventory-commands': 'business.inventory.commands',
    'ecom.payment-commands': 'business.payments.commands',
    'ecom.shipment-commands': 'business.shipments.commands',
    'ecom.orders': 'business.orders.events',
    'ecom.payments': 'business.payments.events',
    'ecom.inventory': 'business.inventory.events',
    'ecom.shipments': 'business.shipments.events',
    'ecom.platform': 'business.platform.events',
    'ecom.notifications': 'business.notifications.events',
    'ecom.audit': 'audit.all.events',
    // an application has one topic of dead letters, which name their sources in their headers
    'ecom.dlq': 'business.dlq',
  },
}

/** Where that naming keeps a topic for longer. */
const keptInBusiness: Readonly<Record<string, number>> = { 'ecom.payments': days(30) }
