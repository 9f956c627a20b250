/** `npm run emulator [-- --port 4566 --speed 60]`: the article's setting on localhost, until Ctrl-C. */
import { parseArgs } from 'node:util';
import { keyEnvironment } from './identity.ts';
import { accounts, cluster, developmentOu, organizationId, repositoryName, roles, service, startScenario } from './scenario.ts';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    speed: { type: 'string', default: '1' },
    verbose: { type: 'boolean', default: false },
  },
});
const [port, speed] = [Number(values.port), Number(values.speed)];
if (!Number.isInteger(port) || port < 0 || port > 65_535 || !(speed > 0))
  throw new RangeError('--port takes a port, --speed a number above 0');

const { emulator } = await startScenario({ port, speed, log: (line) => values.verbose && console.error(line) });
const key = emulator.world.user(accounts.registry, 'you');
for (const [name, value] of Object.entries(emulator.environment(keyEnvironment(key)))) console.log(`export ${name}='${value}'`);
console.log(`
# Paste the lines above into a shell: its AWS CLI and Docker then work in account ${accounts.registry}, repository ${await emulator.registryHost(accounts.registry)}/${repositoryName}.
# Organization ${organizationId}, development OU ${developmentOu} with ${accounts.devA} and ${accounts.devB}; outside of it ${accounts.outside}. Each has ECS service ${cluster}/${service} with CodeDeploy.
# Roles to assume: ${roles.registry}, ${roles.deploy('<account>')}. AWS time runs ${speed} times as fast. Ctrl-C ends it.`);

// The servers don't hold the process; this does, until a signal closes them.
const alive = setInterval(() => undefined, 60_000);
const stop = () => {
  clearInterval(alive);
  for (const violation of emulator.violations) console.error(`unexpected: ${violation}`);
  void emulator.close();
};
process.once('SIGINT', stop).once('SIGTERM', stop);
