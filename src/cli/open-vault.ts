/**
 * The keys to personal data of a shop that opens: which master key, and whether it fits.
 *
 * Called by everything that opens a `LocalShop`. 1. A master key other than the one that wrapped
 * what is on the topic stops the start. 2. Without one the shop runs, and personal data is refused
 * with the reason; it never becomes clear text by itself.
 */

import type { PersonalData } from '../../topologies/shop/personal/personal-data.ts'
import type { Broker } from '../broker/port.ts'
import { systemClock } from '../clock.ts'
import type { Settings } from '../config/settings.ts'
import type { CommandWriter } from './command-writer.ts'
import { DataKeyChanges } from './data-key-changes.ts'
import { DataKeyTable } from './data-key-table.ts'
import { RefusalError } from './failure.ts'
import {
  givenMasterKey,
  givenOldMasterKey,
  keptMasterKey,
  makeMasterKey,
  type MasterKey,
  masterKeyPath,
} from './master-key.ts'
import { PersonalVault } from './personal-vault.ts'
import { stderrLogger } from './stderr-logger.ts'

/** Makes the vault, once there is what bounds its calls of the broker. */
export type VaultOpener = (calls: Pick<CommandWriter, 'check' | 'inTime'>) => PersonalData

export interface VaultPlace {
  readonly broker: Broker
  /** Whether the state directory is where the key is kept: so on the embedded broker. */
  readonly keepsKey: boolean
  /** Whether data is sealed here: else what is sealed already is opened only. */
  readonly isSealing: boolean
  /** Whether the shop is to run: then its keys are looked at now, and a first one is made. */
  readonly isStarting: boolean
  /** Takes what closes it. */
  readonly parts: AsyncDisposableStack
}

/** @throws {RefusalError} the master key is not the one that wrapped the data keys */
export const openVault = async (settings: Settings, place: VaultPlace): Promise<VaultOpener> => {
  const { broker, isSealing, isStarting, parts } = place
  const mustFit = isSealing && isStarting
  const table = new DataKeyTable(broker, systemClock)
  parts.defer(() => table.close())
  const known = knownKey(settings, place)
  const masterKey = mustFit ? await checkedKey(table, known, { settings, place }) : known
  const whyNoKey = noKey(settings, place)
  if (mustFit && masterKey === undefined) process.stderr.write(`millrace: ${whyNoKey}\n`)
  const logger = stderrLogger(settings.logLevel)
  const changes = new DataKeyChanges({ broker, clock: systemClock, logger, table })
  const keys = { table, changes, masterKey, oldMasterKey: givenOldMasterKey(settings) }
  return (calls) => new PersonalVault({ ...keys, whyNoKey, isSealing, calls })
}

const knownKey = (settings: Settings, { keepsKey }: VaultPlace): MasterKey | undefined =>
  givenMasterKey(settings) ?? (keepsKey ? keptMasterKey(settings.stateDir) : undefined)

/** The key if it fits what is on the topic; a new one where there was none and nothing is lost. */
const checkedKey = async (
  table: DataKeyTable,
  known: MasterKey | undefined,
  { settings, place }: { readonly settings: Settings; readonly place: VaultPlace },
): Promise<MasterKey | undefined> => {
  await table.refresh()
  const { masters } = table
  if (known === undefined) {
    return place.keepsKey && masters.size === 0 ? newKey(settings.stateDir) : undefined
  }
  const fitting = [known, givenOldMasterKey(settings)].map((key) => key?.fingerprint)
  const other = [...masters].find(([master]) => !fitting.includes(master))
  if (other === undefined) return known
  const [master, keys] = other
  throw new RefusalError(
    `${keys} data keys of customers are wrapped by master key ${master}, and the one given is `
      + `${known.fingerprint}: start with the right one (while it is being changed with `
      + '--old-master-key-file too), or with --no-erasure to seal nothing',
  )
}

const newKey = (stateDir: string): MasterKey => {
  const key = makeMasterKey(stateDir)
  process.stderr.write(
    `millrace: made a master key for personal data: ${masterKeyPath(stateDir)}; `
      + 'keep a copy of it elsewhere\n',
  )
  return key
}

const noKey = ({ stateDir }: Settings, { keepsKey }: VaultPlace): string => {
  const where = keepsKey ? `${masterKeyPath(stateDir)} is gone` : 'none was given'
  return (
    `There is no master key (${where}): personal data can neither be sealed nor read, and orders `
    + 'that carry some are refused. Start with --master-key-file, or with --no-erasure to write it '
    + 'in the clear.'
  )
}
