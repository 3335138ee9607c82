// What programs with the npm packages statsd-client and hot-shots send. Arguments: folder of the packages, the port for
// both, the port for lines with tags.

const packages = process.argv[2];
const [port, tagged] = process.argv.slice(3).map(Number);
const Client = require(packages + '/statsd-client');
const { StatsD } = require(packages + '/hot-shots');

// One in ten samples is sent, and which is known.
let draw = 0;
Math.random = () => 0.05 + (draw++ % 10) / 10;

function common(client) {
  for (let i = 0; i < 100; i++) client.increment('hits');
  client.increment('hits', 5);
  client.decrement('hits', 2);
  for (let i = 1; i <= 100; i++) client.timing('time', i);
  for (let i = 0; i < 100; i++) client.set('users', 'user' + (i % 7));
  client.gauge('level', 10);
  client.gaugeDelta('level', -4);
  client.gaugeDelta('level', 1.5);
  for (let i = 1; i <= 10; i++) client.histogram('sizes', i);
}

const client = new Client({ host: '127.0.0.1', port, prefix: 'sc' });
common(client);
client.close();

const shots = new StatsD({ host: '127.0.0.1', port, prefix: 'hs.', maxBufferSize: 1000 });
common(shots);
for (let i = 0; i < 200; i++) shots.increment('sampled', 1, 0.1);
for (let i = 0; i < 200; i++) shots.timing('slow', 320.5, 0.1);
shots.distribution('spread', 4);
shots.increment('dropped.tags', 1, { env: 'prod' });
shots.close();

const labelled = new StatsD({ host: '127.0.0.1', port: tagged, globalTags: { env: 'prod' }, maxBufferSize: 1000 });
labelled.increment('requests', 3, { zone: 'a' });
labelled.increment('requests', 4, { zone: 'b' });
labelled.gauge('load', 0.5);
labelled.close();
