/** The configuration of the shop out of the settings of the command line. */

import { fakeGateway } from '../../topologies/shop/gateway/fake-gateway.ts'
import { type ShopConfig, shopConfig } from '../../topologies/shop/shared/config.ts'
import { type Settings } from '../config/settings.ts'

/** The shop with the fake payment provider, whose troubles are settings. */
export const shopConfigOf = (settings: Settings): ShopConfig => {
  const { seed, declineRate, shortRate, timeoutRate, transferDeadlineMs } = settings
  return shopConfig({
    gateway: fakeGateway({ seed, declineRate, shortRate, timeoutRate }),
    deadlines: { paymentMs: transferDeadlineMs },
  })
}
