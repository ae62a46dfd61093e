/** Preloaded into a process: RocksDB has no binary here, as on linux-arm64 or Windows. */

const { Module } = require('node:module')

const load = Module._load
Module._load = function (request, ...rest) {
  if (request === 'rocksdb/binding.js') throw new Error('No native build was found')
  return load.call(this, request, ...rest)
}
