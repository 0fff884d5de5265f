export const SELECTOR_OPERATORS = ['In', 'NotIn', 'Exists', 'DoesNotExist'] as const;

export interface LabelExpression {
  readonly key: string;
  readonly operator: (typeof SELECTOR_OPERATORS)[number];
  /** Empty for Exists and DoesNotExist. */
  readonly values: readonly string[];
}

/** Says which clusters; every part that is given must hold. At least one part is given: nothing never means everything. */
export interface ClusterSelector {
  readonly all: boolean;
  readonly matchLabels: Readonly<Record<string, string>>;
  readonly matchExpressions: readonly LabelExpression[];
  readonly regions: readonly string[];
}

export interface Selectable {
  readonly labels: Readonly<Record<string, string>>;
  readonly region: string;
}

const labelOf = (cluster: Selectable, key: string): string | undefined =>
  Object.hasOwn(cluster.labels, key) ? cluster.labels[key] : undefined;

const holds = (expression: LabelExpression, cluster: Selectable): boolean => {
  const label = labelOf(cluster, expression.key);
  switch (expression.operator) {
    case 'In':
      return label !== undefined && expression.values.includes(label);
    case 'NotIn':
      return label === undefined || !expression.values.includes(label);
    case 'Exists':
      return label !== undefined;
    case 'DoesNotExist':
      return label === undefined;
  }
};

const isEmpty = (selector: ClusterSelector): boolean =>
  !selector.all &&
  Object.keys(selector.matchLabels).length === 0 &&
  selector.matchExpressions.length === 0 &&
  selector.regions.length === 0;

/** An empty selector selects nothing, whatever Kubernetes does: the schema refuses it, and this is the second lock. */
export const selects = (selector: ClusterSelector, cluster: Selectable): boolean => {
  if (isEmpty(selector)) return false;
  return (
    Object.entries(selector.matchLabels).every(([key, value]) => labelOf(cluster, key) === value) &&
    selector.matchExpressions.every((expression) => holds(expression, cluster)) &&
    (selector.regions.length === 0 || selector.regions.includes(cluster.region))
  );
};

/** In words, as `tier=production, region eu-west or us-east`; for reasons and error messages. */
export const describeSelector = (selector: ClusterSelector): string => {
  const labels = Object.entries(selector.matchLabels)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`);
  const expressions = selector.matchExpressions.map((expression) =>
    expression.values.length === 0
      ? `${expression.key} ${expression.operator}`
      : `${expression.key} ${expression.operator} (${expression.values.join(', ')})`,
  );
  const regions = selector.regions.length === 0 ? [] : [`region ${selector.regions.join(' or ')}`];
  const parts = [...labels, ...expressions, ...regions];
  return parts.length === 0 ? 'all clusters' : parts.join(', ');
};
