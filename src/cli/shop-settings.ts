/** The configuration of the shop out of the settings of the command line. */

import { type ShopConfig, shopConfig } from '../../topologies/shop/shared/config.ts'
import type { Settings } from '../config/settings.ts'
import { carriersIn } from './carrier-file.ts'
import type { InvariantAlarms } from './invariant-alarms.ts'
import { fakeProvider, type PaymentProvider } from './payment-provider.ts'
import { producerHeaders, type StampHeaders } from '../task/producer-headers.ts'

export const shopIdentity = { service: 'shop', version: '0.1.0' } as const

/** The headers of every record the shop writes, if it is to write them. */
export const shopStamp = ({ serialization, recordHeaders }: Settings): StampHeaders | undefined =>
  serialization === 'avro' || recordHeaders ? producerHeaders(shopIdentity) : undefined

/** What an instance has, and those do not who want the plan only, or the stores. */
export interface InstanceParts {
  readonly provider: PaymentProvider
  readonly alarms: InvariantAlarms
}

export const shopConfigOf = (
  settings: Settings,
  { provider, alarms }: Partial<InstanceParts> = {},
): ShopConfig => {
  const { gateway, calls } = provider ?? fakeProvider(settings)
  const { transferDeadlineMs, carrierMode, carriers, erasure } = settings
  const { backorders, backorderWaitMs } = settings
  return shopConfig({
    gateway,
    gatewayCalls: calls,
    onViolation: alarms?.tell,
    erasure,
    deadlines: { paymentMs: transferDeadlineMs },
    backorders: { accepted: backorders === 'on', waitMs: backorderWaitMs },
    carrier: { mode: carrierMode, ...(carriers !== undefined && carriersIn(carriers)) },
  })
}
