import type { Command } from 'commander';
import type { CliIo } from '../cli-io.ts';
import { CliError, EXIT } from '../exit-status.ts';

interface Node {
  readonly path: readonly string[];
  readonly commands: readonly { readonly name: string; readonly summary: string }[];
  readonly options: readonly string[];
  readonly values: readonly { readonly flag: string; readonly choices: readonly string[] }[];
}

const hidden = (command: Command): boolean => (command as Command & { _hidden?: boolean })._hidden === true;
const visible = (command: Command): readonly Command[] => command.commands.filter((child) => !hidden(child));

const nodesOf = (command: Command, path: readonly string[] = []): Node[] => {
  const options = command.options.filter((option) => !option.hidden);
  return [
    {
      path,
      commands: visible(command).map((child) => ({ name: child.name(), summary: child.description() })),
      options: [...options.flatMap(({ short, long }) => [short, long].filter((flag) => flag != null)), '--help'],
      values: options.flatMap(({ long, short, argChoices }) =>
        argChoices === undefined
          ? []
          : [long, short].filter((flag) => flag != null).map((flag) => ({ flag, choices: argChoices })),
      ),
    },
    ...visible(command).flatMap((child) => nodesOf(child, [...path, child.name()])),
  ];
};

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

const bash = (name: string, nodes: readonly Node[]): string => {
  const cases = nodes.map(({ path, commands, options, values }) => {
    const words = [...commands.map((command) => command.name), ...options].join(' ');
    const choices = values.map(({ flag, choices: listed }) => `${flag}) words=${quote(listed.join(' '))} ;;`).join(' ');
    const body =
      choices === '' ? `words=${quote(words)}` : `case "$previous" in ${choices} *) words=${quote(words)} ;; esac`;
    return `    ${quote(path.join(' '))}) ${body} ;;`;
  });
  return `# bash completion of ${name}: eval "$(${name} completion bash)"
_${name}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" path="" words="" word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) break ;; esac
    case ' ${nodes.map(({ path }) => path.join('/')).join(' ')} ' in *" \${path:+\${path// //}/}$word "*) path="\${path:+$path }$word" ;; *) break ;; esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _${name} ${name}
`;
};

const zsh = (name: string, nodes: readonly Node[]): string => {
  const cases = nodes.map(({ path, commands, options }) => {
    const described = commands
      .map((command) => quote(`${command.name}:${command.summary.replaceAll(':', '\\:')}`))
      .join(' ');
    return `    ${quote(path.join(' '))}) commands=(${described}); options=(${options.map(quote).join(' ')}) ;;`;
  });
  const choices = nodes.flatMap(({ path, values }) =>
    values.map(
      ({ flag, choices: listed }) =>
        `    ${quote(`${path.join(' ')} ${flag}`.trim())}) compadd -- ${listed.map(quote).join(' ')}; return ;;`,
    ),
  );
  return `#compdef ${name}
# zsh completion of ${name}: eval "$(${name} completion zsh)"
_${name}() {
  local -a commands options known
  local trail="" word
  known=(${nodes.map(({ path }) => quote(path.join(' '))).join(' ')})
  for word in \${words[2,CURRENT-1]}; do
    if (( \${known[(Ie)\${trail:+$trail }$word]} )); then trail="\${trail:+$trail }$word"; else break; fi
  done
  case "\${trail:+$trail }\${words[CURRENT-1]}" in
${choices.join('\n')}
  esac
  case "$trail" in
${cases.join('\n')}
  esac
  (( $#commands )) && _describe command commands
  [[ $PREFIX == -* ]] && compadd -- $options
  (( $#commands )) || [[ $PREFIX == -* ]] || _files
}
compdef _${name} ${name}
`;
};

const fish = (name: string, nodes: readonly Node[], program: Command): string => {
  const lines = nodes.flatMap((node) => {
    const seen = node.path.map((word) => `__fish_seen_subcommand_from ${word}`);
    const inside = node.path.length === 0 ? '__fish_use_subcommand' : seen.join('; and ');
    const none = node.commands.map((command) => command.name).join(' ');
    const condition =
      node.commands.length > 0 && node.path.length > 0
        ? `${inside}; and not __fish_seen_subcommand_from ${none}`
        : inside;
    const commands = node.commands.map(
      (command) =>
        `complete -c ${name} -f -n ${quote(condition)} -a ${quote(command.name)} -d ${quote(command.summary)}`,
    );
    const command = node.path.reduce<Command | undefined>(
      (at, word) => at?.commands.find((child) => child.name() === word),
      program,
    );
    const options = (command?.options ?? [])
      .filter((option) => !option.hidden)
      .map((option) => {
        const short = option.short == null ? '' : ` -s ${option.short.replace(/^-/, '')}`;
        const long = option.long == null ? '' : ` -l ${option.long.replace(/^--/, '')}`;
        const value =
          option.argChoices === undefined
            ? option.required
              ? ' -r'
              : ''
            : ` -x -a ${quote(option.argChoices.join(' '))}`;
        return `complete -c ${name} -n ${quote(inside)}${short}${long}${value} -d ${quote(option.description)}`;
      });
    return [...commands, ...options];
  });
  return `# fish completion of ${name}: ${name} completion fish | source\n${lines.join('\n')}\n`;
};

export const registerCompletion = (program: Command, io: CliIo): void => {
  program
    .command('completion')
    .description('Print the completion script of a shell')
    .argument('<shell>', 'bash, zsh or fish')
    .addHelpText('after', '\nExamples:\n  eval "$(breakwater completion bash)"\n  breakwater completion fish | source')
    .action((shell: string) => {
      const nodes = nodesOf(program);
      if (shell === 'bash') io.out(bash('breakwater', nodes));
      else if (shell === 'zsh') io.out(zsh('breakwater', nodes));
      else if (shell === 'fish') io.out(fish('breakwater', nodes, program));
      else throw new CliError('the shell must be bash, zsh or fish', { code: 'ShellUnknown', status: EXIT.usage });
    });
};
