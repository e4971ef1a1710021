# Read by the desk's shells. After the learner's own settings, it marks where a command begins and
# ends (the sequences OSC 133 of FinalTerm, and OSC 7 for the folder), which the page reads.
# shellcheck shell=bash
desk_path=$PATH
[ -r ~/.bashrc ] && . ~/.bashrc
PATH=$desk_path
unset desk_path
desk_prompt() {
    printf '\033]133;D;%s\a\033]7;file://%s\a' "$1" "$PWD"
}
PROMPT_COMMAND='desk_prompt $?'${PROMPT_COMMAND:+";${PROMPT_COMMAND#;}"}
PS0='\033]133;C\a'
PS1='\[\033[36m\]\W\[\033[0m\] \$ '
