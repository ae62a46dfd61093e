/**
 * Error codes of the group APIs, and the BrokerError each one is for the runtime.
 *
 * Used by the classic group. 1. Codes of a moving or loading coordinator are no BrokerError: they
 * are asked again. 2. What only a person can mend names the command or setting that does.
 */

import { BrokerError } from '../errors.ts'

export const groupErrors = {
  none: 0,
  coordinatorLoading: 14,
  coordinatorNotAvailable: 15,
  notCoordinator: 16,
  illegalGeneration: 22,
  inconsistentProtocol: 23,
  invalidGroupId: 24,
  unknownMember: 25,
  invalidSessionTimeout: 26,
  rebalanceInProgress: 27,
  groupAuthorization: 30,
  memberIdRequired: 79,
  groupMaxSize: 81,
  fencedInstance: 82,
} as const

/** The coordinator is elsewhere, or not ready: find it again, wait, ask again. */
export class CoordinatorMovedError extends Error {
  override readonly name = 'CoordinatorMovedError'
  readonly code: number

  constructor(code: number) {
    super(`the group's coordinator moved or is loading (error ${code})`)
    this.code = code
  }
}

/** @param subject  who asked, for the message: `member x of group y` */
export const groupError = (code: number, groupId: string, subject: string): Error => {
  switch (code) {
    case groupErrors.coordinatorLoading:
    case groupErrors.coordinatorNotAvailable:
    case groupErrors.notCoordinator:
      return new CoordinatorMovedError(code)
    case groupErrors.unknownMember:
      return new BrokerError('BROKER_UNKNOWN_MEMBER', `${subject} is not in the group`)
    case groupErrors.illegalGeneration:
      return new BrokerError('BROKER_FENCED', `the group is past the generation of ${subject}`)
    case groupErrors.fencedInstance:
      return new BrokerError('BROKER_FENCED', `another process joined with the instance id of ${
        subject}`)
    default:
      return new BrokerError('BROKER_INVALID_REQUEST', `${subject}: ${reasonOf(code, groupId)}`)
  }
}

const reasonOf = (code: number, groupId: string): string => {
  switch (code) {
    case groupErrors.inconsistentProtocol:
      return `the members of group ${groupId} speak another protocol: another kind of client uses `
        + 'this group id; choose another application id, or stop it'
    case groupErrors.invalidGroupId:
      return `the broker refuses the group id '${groupId}'`
    case groupErrors.invalidSessionTimeout:
      return 'sessionTimeoutMs is outside of the broker\'s group.min.session.timeout.ms and '
        + 'group.max.session.timeout.ms'
    case groupErrors.groupMaxSize:
      return `group ${groupId} has group.max.size members already`
    case groupErrors.groupAuthorization:
      return `no right to READ the group; give it with: kafka-acls --add --allow-principal User:NAME `
        + `--operation READ --group ${groupId}`
    default:
      return `the broker answered with error ${code}`
  }
}
