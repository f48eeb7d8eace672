"""Which version the changes ask for."""

from packaging.version import Version

from .news import Level


def least(released: Version, level: Level) -> Version:
    """The lowest version that tells how much has changed.

    Before 1.0.0 everything counts one place further to the right, as dependency resolvers have it:
    the middle number tells what breaks, the last one the rest.

    Args:
        released: The version of before; one in the making has not been given to anybody.
        level: How much has changed since.
    """
    if released.is_prerelease:
        return Version(released.base_version)
    major, minor, micro = released.release[:3]
    if level is Level.NONE:
        return released
    if level is Level.MAJOR and major:
        return Version(f"{major + 1}.0.0")
    if level is Level.MAJOR or (level is Level.MINOR and major):
        return Version(f"{major}.{minor + 1}.0")
    return Version(f"{major}.{minor}.{micro + 1}")
