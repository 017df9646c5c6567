import type { ArgsDef } from 'citty';
import { createGatewayClient, type GatewayClient } from '../../gateway/client/client.ts';
import { readStack } from '../stack/running.ts';
import { usageError } from './errors.ts';

const deadlineMs = 30_000;
const gatewayUrlDefault = 'http://127.0.0.1:3110';

export const dataDirArgument = {
  'data-dir': {
    type: 'string',
    valueHint: 'DIRECTORY',
    description: 'Where streams, snapshots, logs and credentials lie (LAKEHOUSE_DATA_DIR, else "data").',
  },
} as const satisfies ArgsDef;

/** Flags of every command that asks the gateway. */
export const gatewayArguments = {
  gateway: {
    type: 'string',
    valueHint: 'URL',
    description: `The gateway to ask (LAKEHOUSE_GATEWAY_URL, else the one running on the data directory, else ${gatewayUrlDefault}). A token is read from LAKEHOUSE_TOKEN.`,
  },
  ...dataDirArgument,
} as const satisfies ArgsDef;

type Environment = Readonly<Record<string, string | undefined>>;

export function dataDirectoryOf(flag: string | undefined, environment: Environment): string {
  return flag ?? environment.LAKEHOUSE_DATA_DIR ?? 'data';
}

/** Which gateway is meant: the flag, the environment, the stack that runs on the data directory, the usual port. */
export async function gatewayUrlOf(
  flags: { gateway?: string | undefined; 'data-dir'?: string | undefined },
  environment: Environment,
): Promise<string> {
  const named = flags.gateway ?? environment.LAKEHOUSE_GATEWAY_URL;
  const url = named ?? readStack(dataDirectoryOf(flags['data-dir'], environment))?.gateway_url;
  const text = url ?? gatewayUrlDefault;
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol))
    throw usageError(`"${text}" is not the address of a gateway`, `Write it as ${gatewayUrlDefault}.`);
  return text.replace(/\/+$/, '');
}

/** A client of the gateway that flags and environment name. */
export async function openGateway(
  flags: { gateway?: string | undefined; 'data-dir'?: string | undefined },
  environment: Environment = process.env,
): Promise<GatewayClient> {
  const url = await gatewayUrlOf(flags, environment);
  return createGatewayClient({ url, token: environment.LAKEHOUSE_TOKEN, deadlineMs });
}
