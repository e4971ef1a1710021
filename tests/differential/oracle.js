// Reads Dockerfiles, one JSON string a line. For each, prints the last stage's instructions, as
// parsed by dockerfile-ast, as one line of JSON.
const { DockerfileParser } = require("dockerfile-ast");
const { TextDocument } = require("vscode-languageserver-textdocument");

// getJSONValue drops spaces and misreads \u. So only the range of each string comes from
// dockerfile-ast, and JSON.parse decodes the string.
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
