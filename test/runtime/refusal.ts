import { expect } from 'vitest'
import type { Site } from './fixture.ts'
import type { InstanceOptions } from './instance.ts'

/** Why an instance did not start. @throws {Error} it did */
export const refusal = async (site: Site, options: InstanceOptions): Promise<Error> => {
  const { started, application, kill } = site.launch(options)
  const error = await site.settled(
    started.then(
      () => undefined,
      (cause: unknown) => cause,
    ),
  )
  if (!(error instanceof Error)) throw new Error(`it started: ${application.state}`)
  expect(application.state).toBe('failed')
  kill() // lets go of the disk
  return error
}
