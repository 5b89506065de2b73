"""The public Python API: what ``import zpfit`` offers.

A *source* says what to fit. It is the name of a packaged run, the path of a run file, a run
folder, a dictionary with the keys of a run file, or the :class:`~zpfit.inference.problem.Problem`
that :func:`load` returned. Keyword arguments replace keys of the source: ``seed=7``,
``likelihood="today_rb"``. A mapping given for an option block (``sampler``, ``vegas``,
``dynesty``, ``best_fit``, ``joint_sigma``, ``priors``) changes the keys it names and keeps the
others; ``model`` and ``likelihood`` are replaced as a whole. ``drop`` and ``add`` name entries to
leave out of the data of the source or to add to them: ``drop="a_mu_2025_wp2025"``.

Everything is computed in memory. Files are written only if ``output`` is given. Nothing is
printed: stages and notes go to the logger ``zpfit``. The seed settles every random number.
"""
