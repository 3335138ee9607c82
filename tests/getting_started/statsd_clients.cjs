// Sends counters through the packages `statsd-client` and `hot-shots`.
//
// usage: node statsd_clients.cjs NODE_MODULES PORT COUNTERS TIMES
//
// Each of the two counts counter 000000 once a round, 000001 twice, and so on.
'use strict';

const [folder, port, counters, times] = process.argv.slice(2);
const StatsdClient = require(`${folder}/statsd-client`);
const HotShots = require(`${folder}/hot-shots`);

const plain = new StatsdClient({ host: '127.0.0.1', port: Number(port) });
const tagged = new HotShots({ host: '127.0.0.1', port: Number(port), maxBufferSize: 1000, globalTags: { env: 'test' } });

let round = 0;
const timer = setInterval(() => {
  for (let counter = 0; counter < Number(counters); counter++) {
    const name = String(counter).padStart(6, '0');
    plain.counter(name, counter + 1);
    tagged.increment(name, counter + 1);
  }
  round += 1;
  if (round === Number(times)) {
    clearInterval(timer);
    plain.close();
    tagged.close(() => {});
  }
}, 5);
