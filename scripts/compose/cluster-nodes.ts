/** The nodes of the log in `docker-compose.cluster.yml`, and where they listen for one another. */
export const clusterNodes = ['nats-1', 'nats-2', 'nats-3'] as const;
export const clusterPort = 6222;
