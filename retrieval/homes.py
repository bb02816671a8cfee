"""Where an index lives, from how it is named: a folder, or a name on a Milvus server."""

from retrieval.index import Home
from retrieval.locations import Location, MilvusLocation, located


def home_of(location: Location) -> Home:
    """The home that a location names; nothing is opened or made yet.

    Raises SettingsError where it names none, BackendMissingError at the first use where packages are missing.
    """
    place = located(location)
    if isinstance(place, MilvusLocation):
        from retrieval.milvus.home import MilvusHome

        return MilvusHome(place)
    from retrieval.local_home import LocalHome

    return LocalHome(place)
