import { fleetOf } from './campaign-fleet.ts';
import { CampaignWorld, FIRST_RELEASE } from './campaign-world.ts';
import { type CampaignOptions, replayCommand } from './options.ts';
import { EpisodeRunner, type EpisodeOutcome } from './run-episode.ts';
import { type Episode, episodesOf } from './schedule.ts';
import { seconds } from './steps.ts';
import { Tally } from './tally.ts';

const MOST_EVIDENCE = 12;

/** What is wrong with an episode, in lines; none: nothing is. */
export const describeBroken = ({
  verdicts,
  settled,
}: Pick<EpisodeOutcome, 'verdicts' | 'settled'>): readonly string[] => [
  ...verdicts.flatMap(({ rule, broken }) =>
    broken.flatMap(({ what, evidence }) => [
      `BROKEN ${rule}`,
      `  ${what}`,
      ...evidence.slice(0, MOST_EVIDENCE).map((line) => `    ${line}`),
    ]),
  ),
  ...(settled.left.length === 0
    ? []
    : [
        'BROKEN nothing is lost: everything settles (rule 7)',
        `  after ${seconds(settled.tookMs)} without a fault this is left:`,
        ...settled.left.slice(0, MOST_EVIDENCE).map((line) => `    ${line}`),
      ]),
];

const sayEpisode = (say: (line: string) => void, { number, programsOnly }: Episode, sinceMs: number): void =>
  say(`episode ${number}, after ${seconds(sinceMs)}${programsOnly ? ' (only programs fail)' : ''}`);

/**
 * Whether every rule held. Everything that it finds it says. `interrupted` rejects when somebody wants it to end: then nothing of it is left
 * running.
 */
export const runCampaign = async (
  options: CampaignOptions,
  say: (line: string) => void,
  interrupted: Promise<never>,
): Promise<boolean> => {
  const fleet = fleetOf(options.real, options.simulated);
  say(
    `seed ${options.seed}; ${options.real} real and ${options.simulated} simulated clusters; ${options.minutes} minutes`,
  );
  const world = await CampaignWorld.create(fleet, say);
  const tally = new Tally(options.real > 0);
  const began = Date.now();
  let held = true;
  try {
    const runner = new EpisodeRunner(world, say);
    await Promise.race([runner.prepare(FIRST_RELEASE), interrupted]);
    for (const episode of episodesOf(options.seed, fleet)) {
      if (Date.now() - began > options.minutes * 60_000) break;
      sayEpisode(say, episode, Date.now() - began);
      const outcome = await Promise.race([runner.run(episode), interrupted]);
      tally.add(outcome);
      say(`  settled ${seconds(outcome.settled.tookMs)} later: ${outcome.ends.join(', ')}`);
      for (const line of outcome.settled.help) say(`  a person ${line}`);
      const broken = describeBroken(outcome);
      if (broken.length === 0) continue;
      held = false;
      for (const line of [...broken, `episode ${episode.number}; again: ${replayCommand(options)}`]) say(line);
      break;
    }
    say(`\n${tally.toString()}`);
    say(held ? 'no rule was broken' : `a rule was broken; the programs' logs are in ${world.home}`);
    return held;
  } catch (error) {
    held = false;
    say(`the programs' logs are in ${world.home}; again: ${replayCommand(options)}`);
    throw error;
  } finally {
    await world.stop(options.keep || !held);
  }
};
