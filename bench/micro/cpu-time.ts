/**
 * What one call of many costs, in CPU time of the whole process: it holds on a busy machine too.
 *
 * Threads of the collector and of engines are in it, and so is whatever else runs meanwhile:
 * nothing should.
 */

const [roundsDefault, warmUpRounds] = [9, 2]

/**
 * @param count  how many things one call of `work` does
 * @returns CPU ns per thing: the median of the rounds, after a warm-up
 */
export const cpuNsPer = async (
  count: number,
  work: () => void | Promise<void>,
  rounds = roundsDefault,
): Promise<number> => {
  const taken: number[] = []
  for (let round = -warmUpRounds; round < rounds; round++) {
    const start = process.cpuUsage()
    await work()
    const { user, system } = process.cpuUsage(start)
    if (round >= 0) taken.push(((user + system) / count) * 1e3)
  }
  return taken.sort((a, b) => a - b)[rounds >> 1]!
}
