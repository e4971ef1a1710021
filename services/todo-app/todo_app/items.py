"""The items of the list, and the only functions that change them."""

from sqlalchemy import Engine, String, delete, select, update
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, sessionmaker

MAX_TITLE_LENGTH = 200


class InvalidTitleError(ValueError):
    """A title that cannot be kept; the message is written for the person who typed it."""


class Base(DeclarativeBase):
    """Everything that has a table."""


class Item(Base):
    """One thing to do."""

    __tablename__ = "items"
    # AUTOINCREMENT: the id of a deleted item is never given away, so that it can be restored.
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(MAX_TITLE_LENGTH))
    done: Mapped[bool] = mapped_column(default=False)


def clean_title(text: str) -> str:
    """Return `text` with each run of white space as one blank and none at the ends.

    Raises InvalidTitleError when nothing is left, or more than MAX_TITLE_LENGTH characters are.
    """
    # PostgreSQL cannot store the null character.
    title = " ".join(text.replace("\0", " ").split())
    if not title:
        raise InvalidTitleError("Write what there is to do, then press Add.")
    if len(title) > MAX_TITLE_LENGTH:
        raise InvalidTitleError(
            f"That is {len(title)} characters; there is room for {MAX_TITLE_LENGTH}. "
            "Shorten it, or split it into two items."
        )
    return title


class Items:
    """The to-do list in one database. Each call is a transaction of its own."""

    def __init__(self, engine: Engine) -> None:
        """Keep the items in the database behind `engine`, whose tables exist already."""
        # Items outlive their transaction: pages are made from them after it has ended.
        self._transaction = sessionmaker(engine, expire_on_commit=False).begin

    def all(self) -> list[Item]:
        """Return every item, oldest first."""
        with self._transaction() as session:
            return list(session.scalars(select(Item).order_by(Item.id)))

    def add(self, text: str) -> Item:
        """Keep a new open item; raises InvalidTitleError when `text` makes no title."""
        item = Item(title=clean_title(text), done=False)
        with self._transaction() as session:
            session.add(item)
        return item

    def complete(self, item_id: int) -> Item | None:
        """Mark the item as done and return it; None when there is no such item."""
        return self._set_done(item_id, done=True)

    def reopen(self, item_id: int) -> Item | None:
        """Mark the item as open again and return it; None when there is no such item."""
        return self._set_done(item_id, done=False)

    def delete(self, item_id: int) -> Item | None:
        """Remove the item and return what it was; None when there was no such item."""
        with self._transaction() as session:
            return session.scalar(delete(Item).where(Item.id == item_id).returning(Item))

    def restore(self, item_id: int, title: str, *, done: bool) -> Item:
        """Put a deleted item back in its old place; doing so twice changes nothing."""
        with self._transaction() as session:
            return session.merge(Item(id=item_id, title=title, done=done))

    def _set_done(self, item_id: int, *, done: bool) -> Item | None:
        change = update(Item).where(Item.id == item_id).values(done=done).returning(Item)
        with self._transaction() as session:
            return session.scalar(change)
