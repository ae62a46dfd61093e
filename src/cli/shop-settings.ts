/** The configuration of the shop out of the settings of the command line. */

import { fakeGateway } from '../../topologies/shop/gateway/fake-gateway.ts'
import { type ShopConfig, shopConfig } from '../../topologies/shop/shared/config.ts'
import type { Settings } from '../config/settings.ts'
import { producerHeaders, type StampHeaders } from '../task/producer-headers.ts'

export const shopIdentity = { service: 'shop', version: '0.1.0' } as const

/** The headers of every record the shop writes, if it is to write them. */
export const shopStamp = ({ serialization, recordHeaders }: Settings): StampHeaders | undefined =>
  serialization === 'avro' || recordHeaders ? producerHeaders(shopIdentity) : undefined

/** The shop with the fake payment provider, whose troubles are settings. */
export const shopConfigOf = (settings: Settings): ShopConfig => {
  const { seed, declineRate, shortRate, timeoutRate, transferDeadlineMs } = settings
  return shopConfig({
    gateway: fakeGateway({ seed, declineRate, shortRate, timeoutRate }),
    deadlines: { paymentMs: transferDeadlineMs },
  })
}
