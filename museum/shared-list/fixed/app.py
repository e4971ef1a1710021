from flask import Flask, request, session

app = Flask(__name__)
app.secret_key = "not-a-real-key"
FIRST_ITEMS = ["Buy milk"]


@app.get("/")
def show() -> list[str]:
    return session.get("items", FIRST_ITEMS)


@app.post("/")
def add() -> list[str]:
    items = [*session.get("items", FIRST_ITEMS)]
    items.append(request.form["item"])
    session["items"] = items
    return items
