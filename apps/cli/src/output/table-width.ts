/** Nothing that is printed for people is wider, whatever people have named their clusters. */
export const TABLE_WIDTH = 100;
