/** Reads of stores by name, whose mistakes are the caller's. */

import { problemKinds } from './problem-kinds.ts'
import { RouteProblem } from './route-problem.ts'
import { StoreRequestError } from './shop-access.ts'

/** @throws {RouteProblem} 400: a key or bound cannot be; 404: no such store, naming all */
export const ofStore = async <T>(read: () => Promise<T>): Promise<T> => {
  try {
    return await read()
  } catch (error) {
    if (error instanceof StoreRequestError) throw new RouteProblem(400, error.message)
    if ((error as { readonly code?: unknown }).code !== 'STREAMS_CONFIG') throw error
    throw new RouteProblem(problemKinds.noSuchStore, (error as Error).message)
  }
}
