/** Names of the topics an application owns; stable for ever: state and records hang on them. */

export const changelogTopicName = (applicationId: string, storeName: string): string =>
  `${applicationId}-${storeName}-changelog`

export const repartitionTopicName = (applicationId: string, name: string): string =>
  `${applicationId}-${name}-repartition`

export const deadLetterTopicName = (applicationId: string): string =>
  `${applicationId}-dead-letters`
