/** The configuration of the shop out of the settings of the command line. */

import { type ShopConfig, shopConfig } from '../../topologies/shop/shared/config.ts'
import type { Settings } from '../config/settings.ts'
import { carriersIn } from './carrier-file.ts'
import { fakeProvider, type PaymentProvider } from './payment-provider.ts'
import { producerHeaders, type StampHeaders } from '../task/producer-headers.ts'

export const shopIdentity = { service: 'shop', version: '0.1.0' } as const

/** The headers of every record the shop writes, if it is to write them. */
export const shopStamp = ({ serialization, recordHeaders }: Settings): StampHeaders | undefined =>
  serialization === 'avro' || recordHeaders ? producerHeaders(shopIdentity) : undefined

/** @param provider  of an instance; who wants the plan only, or the stores, calls nobody */
export const shopConfigOf = (
  settings: Settings,
  { gateway, calls }: PaymentProvider = fakeProvider(settings),
): ShopConfig => {
  const { transferDeadlineMs, carrierMode, carriers, backorders, backorderWaitMs } = settings
  return shopConfig({
    gateway,
    gatewayCalls: calls,
    deadlines: { paymentMs: transferDeadlineMs },
    backorders: { accepted: backorders === 'on', waitMs: backorderWaitMs },
    carrier: { mode: carrierMode, ...(carriers !== undefined && carriersIn(carriers)) },
  })
}
