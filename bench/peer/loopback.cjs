// Preloaded into the peer (`node --require`): it would listen on every interface; a benchmark listens on loopback only.
const net = require('node:net')

const listen = net.Server.prototype.listen

net.Server.prototype.listen = function (port, ...rest) {
  const callbacks = rest.filter((argument) => typeof argument === 'function')
  return listen.call(this, { port: Number(port), host: '127.0.0.1' }, ...callbacks)
}
