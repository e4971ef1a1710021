"""The items of the list, and all functions that change them."""

from sqlalchemy import Engine, String, delete, select, update
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, sessionmaker

MAX_TITLE_LENGTH = 200


class InvalidTitleError(ValueError):
    """An invalid title; the message is shown to the user."""


class Base(DeclarativeBase):
    """Base class of all models."""


class Item(Base):
    """One item of the to-do list."""

    __tablename__ = "items"
    # AUTOINCREMENT: the id of a deleted item is never reused, so the item can be restored.
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(MAX_TITLE_LENGTH))
    done: Mapped[bool] = mapped_column(default=False)


def clean_title(text: str) -> str:
    """Return `text` stripped, with each run of white space replaced by one space.

    Raises InvalidTitleError if the result is empty or longer than MAX_TITLE_LENGTH characters.
    """
    # PostgreSQL cannot store the null character.
    title = " ".join(text.replace("\0", " ").split())
    if not title:
        raise InvalidTitleError("Enter something to do, then press Add.")
    if len(title) > MAX_TITLE_LENGTH:
        raise InvalidTitleError(
            f"The title has {len(title)} characters; the maximum is {MAX_TITLE_LENGTH}. "
            "Shorten it or split it into two items."
        )
    return title


class Items:
    """The to-do list in one database. Each call is a separate transaction."""

    def __init__(self, engine: Engine) -> None:
        """Use the database of `engine`; its tables must already exist."""
        # Pages use the items after the transaction has ended, so do not expire them.
        self._transaction = sessionmaker(engine, expire_on_commit=False).begin

    def all(self) -> list[Item]:
        """Return every item, oldest first."""
        with self._transaction() as session:
            return list(session.scalars(select(Item).order_by(Item.id)))

    def add(self, text: str) -> Item:
        """Add a new open item; raises InvalidTitleError if `text` is not a valid title."""
        item = Item(title=clean_title(text), done=False)
        with self._transaction() as session:
            session.add(item)
        return item

    def complete(self, item_id: int) -> Item | None:
        """Mark the item as done and return it, or None if there is no such item."""
        return self._set_done(item_id, done=True)

    def reopen(self, item_id: int) -> Item | None:
        """Mark the item as open again and return it, or None if there is no such item."""
        return self._set_done(item_id, done=False)

    def delete(self, item_id: int) -> Item | None:
        """Delete the item and return it, or None if there is no such item."""
        with self._transaction() as session:
            return session.scalar(delete(Item).where(Item.id == item_id).returning(Item))

    def restore(self, item_id: int, title: str, *, done: bool) -> Item:
        """Restore a deleted item in its old position; a second call changes nothing."""
        with self._transaction() as session:
            return session.merge(Item(id=item_id, title=title, done=done))

    def _set_done(self, item_id: int, *, done: bool) -> Item | None:
        change = update(Item).where(Item.id == item_id).values(done=done).returning(Item)
        with self._transaction() as session:
            return session.scalar(change)
