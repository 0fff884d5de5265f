import { type Application, type ApplyPolicy, applyPolicyOf, type Destination } from '@breakwater/domain';

/** What a release keeps of its Application, besides what it renders to. */
export interface ReleaseSpec {
  readonly apply: ApplyPolicy;
  /** Asked only where the newest commit cannot say it, because the Application has errors there. */
  readonly destination: Destination;
}

export const releaseSpecOf = (application: Application): ReleaseSpec => ({
  apply: applyPolicyOf(application),
  destination: { fleet: application.fleet, strategy: application.strategy },
});
