// Reads one JSON string a line (a Dockerfile), and writes one JSON line for each: what
// dockerfile-ast says of its last stage.
const { DockerfileParser } = require("dockerfile-ast");
const { TextDocument } = require("vscode-languageserver-textdocument");

// Its own getJSONValue drops spaces and reads \u wrongly: where a string begins and ends is its
// word, what the string says is JSON's.
function strings(document, each) {
    const values = each.getJSONStrings().map((word) => document.getText(word.getRange()));
    return values.map((value) => JSON.parse(value));
}

function instruction(document, each) {
    const closed = each.getClosingBracket ? each.getClosingBracket() !== null : false;
    return {
        keyword: each.getKeyword(),
        line: each.getRange().start.line + 1,
        end: each.getRange().end.line + 1,
        arguments: each.getArguments().map((word) => word.getValue()),
        flags: (each.getFlags?.() ?? []).map((flag) => [flag.getName(), flag.getValue() ?? ""]),
        words: closed ? strings(document, each) : null,
        heredocs: (each.getHeredocs?.() ?? []).map((heredoc) => heredoc.getName()),
    };
}

function lastStage(text) {
    const document = TextDocument.create("", "", 0, text);
    const all = DockerfileParser.parse(text).getInstructions();
    const start = all.map((each) => each.getKeyword()).lastIndexOf("FROM");
    return all.slice(start + 1).map((each) => instruction(document, each));
}

require("readline")
    .createInterface({ input: process.stdin })
    .on("line", (line) => console.log(JSON.stringify(lastStage(JSON.parse(line)))));
