# Read by the desk's shells. After the learner's own settings, it marks where a command begins and
# ends (the sequences OSC 133 of FinalTerm, and OSC 7 for the folder), which the page reads.
# shellcheck shell=bash
desk_path=$PATH
if [ -r ~/.bashrc ]; then
    # It may take seconds. Until then, the last row of the screen says what the shell does.
    printf '\0337\033[999B\033[2mReading ~/.bashrc ...\033[m\0338'
    . ~/.bashrc
    printf '\033[J'
fi
PATH=$desk_path
unset desk_path
desk_prompt() {
    printf '\033]133;D;%s\a\033]7;file://%s\a' "$1" "$PWD"
}
PROMPT_COMMAND='desk_prompt $?'${PROMPT_COMMAND:+";${PROMPT_COMMAND#;}"}
PS0='\033]133;C\a'
PS1='\[\033[36m\]\W\[\033[0m\] \$ '
