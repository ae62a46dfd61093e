/** `host:port,host:port` as operators write it; an address of IPv6 stands in brackets. */

import { BrokerError } from '../errors.ts'
import type { BrokerNode } from './connections.ts'

const defaultPort = 9092

/** @throws {BrokerError} BROKER_INVALID_REQUEST names the part that is no address */
export const bootstrapAddresses = (bootstrap: string): readonly BrokerNode[] => {
  const parts = bootstrap
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
  if (parts.length === 0) throw invalid(bootstrap)
  return parts.map((part) => {
    const match = /^(?:\[([^\]]+)\]|([^:[\]/\s]+))(?::(\d{1,5}))?$/.exec(part)
    const port = Number(match?.[3] ?? defaultPort)
    if (match === null || port < 1 || port > 65_535) throw invalid(part)
    return { host: (match[1] ?? match[2])!, port }
  })
}

const invalid = (text: string): BrokerError =>
  new BrokerError('BROKER_INVALID_REQUEST', `bootstrap: "${text}" is not host:port`)
