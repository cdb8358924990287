// Values as people give them: from what is needed at least to everything at once.

import { parse } from 'yaml'
import { readChartFile, type Values } from '../../deploy/chart.ts'
import { LOCALHOST_CERTIFICATE, LOCALHOST_KEY } from '../../support/localhost-certificate.ts'

export const DATABASE_URL = 'postgres://lineage:of-the-database@db.example.com:5432/lineage'
const REDIS_URL = 'rediss://:of-redis@redis.example.com:6379'
export const SECRET_KEY = 'A'.repeat(43)
const SMTP_URL = 'smtps://lineage:of-the-mail@mail.example.com:465'

/** Secrets that somebody else has made in the namespace, with their keys. */
export const FOREIGN_SECRETS = {
  'lineage-secrets': {
    'database-url': DATABASE_URL,
    'secret-key': SECRET_KEY,
    'redis-url': REDIS_URL,
    'admin-client-secret': 'b'.repeat(43),
  },
  stores: { postgresql: DATABASE_URL, redis: REDIS_URL },
  peppers: { 'password-pepper': Buffer.alloc(32, 1).toString('base64url') },
  mail: { url: SMTP_URL },
  collector: { 'otlp-headers': 'authorization=of-the-collector' },
  certificate: { 'tls.crt': LOCALHOST_CERTIFICATE, 'tls.key': LOCALHOST_KEY },
  authorities: { 'roots.pem': LOCALHOST_CERTIFICATE },
} as const

const IMAGE = { repository: 'registry.example.com/lineage' }
const ISSUER = 'https://auth.example.com'

/** Values, the least that is needed. */
export const MINIMAL = {
  image: IMAGE,
  issuer: ISSUER,
  secrets: { databaseUrl: { value: DATABASE_URL }, secretKey: { value: SECRET_KEY } },
}

const FROM_SECRETS = {
  databaseUrl: { existingSecret: 'stores', key: 'postgresql' },
  redisUrl: { existingSecret: 'stores', key: 'redis' },
  secretKey: { existingSecret: 'lineage-secrets' },
  adminClientSecret: { existingSecret: 'lineage-secrets' },
}
const ADMIN = { LINEAGE_ADMIN_CLIENT_ID: 'admin' }
const MAIL = {
  LINEAGE_MAIL_FROM: 'Example <no-reply@example.com>',
  LINEAGE_PASSWORD_RESET_URL: 'https://app.example.com/reset',
  LINEAGE_EMAIL_VERIFICATION_URL: 'https://app.example.com/verify',
}

const TRACES = {
  OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector.example.com:4318',
  OTEL_SDK_DISABLED: false,
  OTEL_TRACES_SAMPLER: 'traceidratio',
  OTEL_TRACES_SAMPLER_ARG: 0.1,
}

/** A resource as `lineage apply` reads it. */
export const CLIENT = {
  apiVersion: 'lineage/v1',
  kind: 'Client',
  metadata: { name: 'shop' },
  spec: {
    name: 'Shop',
    type: 'public',
    grantTypes: ['password', 'refresh_token'],
    refreshIdleTtlSeconds: 1_209_600,
  },
}

/** Everything that the chart can make, at once. */
const EVERYTHING: Values = {
  ...MINIMAL,
  commonLabels: { team: 'identity' },
  image: { ...IMAGE, digest: `sha256:${'0'.repeat(64)}` },
  imagePullSecrets: [{ name: 'registry' }],
  trustedProxies: ['10.0.0.0/8', 'fd00::/8'],
  settings: { ...ADMIN, ...MAIL, ...TRACES, LINEAGE_WORKERS: 4, HOST: '::' },
  secrets: {
    ...FROM_SECRETS,
    databaseUrl: { value: DATABASE_URL },
    passwordPepper: { existingSecret: 'peppers' },
    smtpUrl: { existingSecret: 'mail', key: 'url' },
    otlpHeaders: { existingSecret: 'collector' },
  },
  tls: {
    existingSecret: 'certificate',
    clientCaSecret: 'authorities',
    clientCaKey: 'roots.pem',
  },
  apply: {
    documents: {
      clients: [CLIENT],
      'text-of-one': `  # further in than what follows\n${JSON.stringify(CLIENT)}\n`,
    },
  },
  migrations: { mode: 'job' },
  autoscaling: {
    metrics: [
      {
        type: 'Resource',
        resource: { name: 'memory', target: { type: 'Utilization', averageUtilization: 80 } },
      },
    ],
  },
  podDisruptionBudget: { maxUnavailable: '', minAvailable: '50%' },
  service: {
    type: 'LoadBalancer',
    port: 443,
    annotations: { 'example.com/balancer': 'internal' },
    externalTrafficPolicy: 'Local',
    loadBalancerSourceRanges: ['192.0.2.0/24'],
  },
  opsService: { port: 9001, annotations: { 'example.com/for': 'operators' } },
  ingress: {
    enabled: true,
    className: 'nginx',
    annotations: { 'nginx.ingress.kubernetes.io/backend-protocol': 'HTTPS' },
    hosts: ['auth.example.com', 'mtls.example.com'],
    tls: [{ hosts: ['auth.example.com'], secretName: 'auth-tls' }],
  },
  httpRoute: { enabled: true, parentRefs: [{ name: 'public', namespace: 'gateways' }] },
  shutdownDelaySeconds: 60,
  serviceAccount: { annotations: { 'example.com/role': 'lineage' } },
  podAnnotations: { 'example.com/mesh': 'off' },
  podLabels: { 'example.com/tier': 'one' },
  priorityClassName: 'high',
  nodeSelector: { 'kubernetes.io/arch': 'amd64' },
  tolerations: [{ key: 'dedicated', operator: 'Exists', effect: 'NoSchedule' }],
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [
          { matchExpressions: [{ key: 'disk', operator: 'In', values: ['ssd'] }] },
        ],
      },
    },
  },
  extraEnv: [{ name: 'NODE_EXTRA_CA_CERTS', value: '/etc/authorities/ca.crt' }],
  extraVolumes: [{ name: 'authorities', configMap: { name: 'company-authorities' } }],
  extraVolumeMounts: [{ name: 'authorities', mountPath: '/etc/authorities', readOnly: true }],
  extraInitContainers: [{ name: 'wait', image: 'registry.example.com/wait:1' }],
  extraContainers: [{ name: 'proxy', image: 'registry.example.com/proxy:1' }],
  networkPolicy: {
    egress: { extra: [{ ports: [{ port: 8126, protocol: 'TCP' }] }] },
  },
  serviceMonitor: {
    enabled: true,
    labels: { release: 'prometheus' },
    tlsConfig: { ca: { configMap: { name: 'company-authorities', key: 'ca.crt' } } },
    relabelings: [{ sourceLabels: ['__meta_kubernetes_pod_node_name'], targetLabel: 'node' }],
    metricRelabelings: [{ action: 'drop', regex: 'nodejs_.*', sourceLabels: ['__name__'] }],
  },
  prometheusRule: {
    enabled: true,
    labels: { release: 'prometheus' },
    runbookPrefix: 'https://git.example.com/lineage/',
  },
  grafanaDashboards: { enabled: true, annotations: { folder: 'Identity' } },
}

/** Values by what they are for. */
export const SCENARIOS: Readonly<Record<string, Values>> = {
  minimal: MINIMAL,
  "the README's example": parse(
    /```yaml\n([\s\S]*?)```/.exec(readChartFile('README.md'))?.[1] ?? '',
    { version: '1.1' },
  ),
  'high availability': {
    ...MINIMAL,
    secrets: FROM_SECRETS,
    settings: ADMIN,
    trustedProxies: ['10.0.0.0/8'],
    replicas: 4,
    autoscaling: { minReplicas: 4, maxReplicas: 20 },
    podDisruptionBudget: { maxUnavailable: '25%' },
    topologySpreadConstraints: [
      {
        topologyKey: 'topology.kubernetes.io/zone',
        maxSkew: 1,
        whenUnsatisfiable: 'DoNotSchedule',
        labelSelector: { matchLabels: { 'app.kubernetes.io/name': 'lineage' } },
      },
    ],
    ingress: { enabled: true },
  },
  'a job migrates, values': { ...MINIMAL, migrations: { mode: 'job' } },
  'a job migrates, existing secrets': {
    ...MINIMAL,
    secrets: FROM_SECRETS,
    settings: ADMIN,
    migrations: { mode: 'job' },
    networkPolicy: { enabled: false },
  },
  'workers, and numbers and words that YAML changes': {
    ...MINIMAL,
    settings: {
      LINEAGE_WORKERS: 4,
      UV_THREADPOOL_SIZE: 16,
      LINEAGE_REFRESH_ABSOLUTE_TTL_SECONDS: 315_360_000,
      LINEAGE_THROTTLE: false,
      LINEAGE_PASSWORD_BLOCKLIST: true,
      LINEAGE_SIGNING_ALG: 'EdDSA',
    },
  },
  TLS: {
    ...MINIMAL,
    tls: { existingSecret: 'certificate' },
    service: { port: 443 },
    serviceMonitor: { enabled: true },
  },
  'nothing that can be left out': {
    ...MINIMAL,
    replicas: 1,
    autoscaling: { enabled: false },
    podDisruptionBudget: { enabled: false },
    networkPolicy: { enabled: false },
    serviceAccount: { create: false },
    tests: { enabled: false },
    topologySpreadConstraints: [],
    settings: { LINEAGE_CLIENT_CERT_HEADER: null },
  },
  everything: EVERYTHING,
}
