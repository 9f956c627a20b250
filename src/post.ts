/** The post step: undoes what main left behind, also when main was killed. It reads state only, and never fails the job. */
import { remembered, type Cleanup } from './cleanup.ts';
import { toError } from './errors.ts';
import type { Ports } from './ports/index.ts';
import { realPorts } from './ports/real.ts';
import { restoreDockerLogin } from './steps/docker-login.ts';
import { finishDeployment } from './steps/finish-deployment.ts';

async function clean({ item, ports }: { item: Cleanup; ports: Ports }): Promise<void> {
  switch (item.kind) {
    case 'remove-folder':
      return ports.files.remove(item.path);
    case 'docker-login':
      return restoreDockerLogin({ login: item, ports });
    case 'docker-builder':
      return ports.docker.removeBuilder(item);
    case 'deployment':
      return finishDeployment({ unfinished: item, ports });
  }
}

const ports = realPorts(process.env);
for (const item of remembered(ports.github)) {
  try {
    await clean({ item, ports });
  } catch (error) {
    ports.log.warning(`The post step could not finish (${item.kind}): ${toError(error).message}`);
  }
}
